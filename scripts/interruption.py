"""How scripts that start processes end: once, and in order."""

import signal

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def interrupt_once():
    """From now on the first Ctrl-C or SIGTERM raises KeyboardInterrupt. Any further one does nothing, so that whatever was
    started is stopped before the script ends: a make that is interrupted sends two. For the main thread."""

    def ignore(*_):
        """Unlike SIG_IGN it is not handed on to the programs that are started."""

    def interrupt(*_):
        for one in SIGNALS:
            signal.signal(one, ignore)
        raise KeyboardInterrupt

    for one in SIGNALS:
        signal.signal(one, interrupt)
