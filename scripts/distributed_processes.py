"""API processes and reflectors on the servers of scripts/services, for the scripts that run several of them.

A process is started in a session of its own, so that Ctrl-C reaches the script alone; its pid is in FOLDER/NAME.pid while it
runs, its standard error in FOLDER/NAME.log. Python's standard library alone; not thread safe but for Process.kill.
"""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.parse

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SERVICES = os.path.join(SOURCE, "scripts", "services")
SERVERS = ("postgres", "redis", "rabbitmq", "neo4j")
URLS = ("POSTGRES_URL", "REDIS_URL", "RABBITMQ_URL", "NEO4J_URL")
READY_SECONDS = 60
STOP_SECONDS = 20
RESTART_SECONDS = 600


def servers_running():
    """Which of the four servers are up now."""
    return [server for server in SERVERS
            if subprocess.run([SERVICES, "status", server], capture_output=True, check=False).returncode == 0]


def start_servers(tree=SOURCE):
    """Starts those that are not up, with their progress on standard output; returns the URLs of all four by the names of
    their settings. Ends the program, with a sentence, when one cannot be had. `tree` has the scripts/services to use."""
    if subprocess.run([os.path.join(tree, "scripts", "services"), "up"], check=False).returncode != 0:
        sys.exit("The servers could not all be started; scripts/services logs has their last words.")
    urls = {}
    with open(os.path.join(tree, "build", "services", "environment"), encoding="utf-8") as file:
        for line in file:
            name, _, url = line.strip().partition("=")
            urls[name] = url
    missing = [name for name in URLS if name not in urls]
    if missing:
        sys.exit("No server for " + ", ".join(missing) + ".")
    return urls


def restart_server(server, tree=SOURCE):
    """Stops one of the four and starts it again at the same address; RuntimeError when it does not come back."""
    services = os.path.join(tree, "scripts", "services")
    subprocess.run([services, "down", server], check=True, stdout=subprocess.DEVNULL)
    # A busy machine may take longer than scripts/services has the patience for.
    if not wait_until(lambda: subprocess.run([services, "up", server], stdout=subprocess.DEVNULL,
                                             check=False).returncode == 0, RESTART_SECONDS):
        raise RuntimeError(f"{server} does not come back")


def environment(urls, **settings):
    """The variables of this process without ours, such as the ports of scripts/services, and with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("UMBRANET_", "REFLECTOR_"))}
    return {**kept, **urls, **settings}


def as_client(url, name):
    """A PostgreSQL URL whose sessions the server lists under this name."""
    return url + ("&" if "?" in url else "?") + "application_name=" + urllib.parse.quote(name)


class Process:
    """`umbranet ARGUMENTS...` as NAME."""

    def __init__(self, folder, name, binary, arguments, variables):
        os.makedirs(folder, exist_ok=True)
        self.name = name
        self.log = os.path.join(folder, name + ".log")
        self._pid_file = os.path.join(folder, name + ".pid")
        with open(self.log, "ab") as log:
            self._child = subprocess.Popen([binary] + arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                           stderr=log, env=variables, start_new_session=True)
        with open(self._pid_file, "w", encoding="utf-8") as file:
            file.write(f"{self._child.pid}\n")

    @property
    def pid(self):
        return self._child.pid

    def wait_ready(self):
        """The line that it prints when it is ready; RuntimeError when it ends or says nothing for a minute."""
        watchdog = threading.Timer(READY_SECONDS, self._child.kill)
        watchdog.start()
        line = self._child.stdout.readline().decode(errors="replace").strip()
        watchdog.cancel()
        if not line:
            self.stop()
            raise RuntimeError(f"{self.name} did not start: {self.last_words()}")
        return line

    def last_words(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            lines = file.read().strip().splitlines()
        return lines[-1] if lines else f"its log {self.log} is empty"

    def running(self):
        return self._child.poll() is None

    def kill(self):
        """kill -9."""
        self._child.kill()
        self._ended(None)

    def ask_to_stop(self):
        if self.running():
            self._child.send_signal(signal.SIGTERM)

    def stop(self):
        """SIGTERM, and kill -9 when that is not enough; returns the exit code."""
        self.ask_to_stop()
        try:
            self._ended(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        return self._child.returncode

    def _ended(self, seconds):
        self._child.wait(seconds)
        self._child.stdout.close()
        if os.path.exists(self._pid_file):
            os.remove(self._pid_file)


def stop_all(processes):
    """All at once, since each may have something to finish."""
    for process in processes:
        process.ask_to_stop()
    for process in processes:
        process.stop()


def url_of(ready_line):
    return next(word for word in ready_line.split() if word.startswith("http://"))


def wait_until(condition, seconds, pause=0.05):
    """Whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
