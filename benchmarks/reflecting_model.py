"""What a model that understands where its user's lamps are says of the turns that a reflection prompt shows, in the form that
is asked for (src/umbranet/extraction/reflection_schema.h). For the stand-ins of these benchmarks."""

import json
import re

PLACES = ("Porto", "Lyon", "Trieste", "Oslo", "Ghent", "Turin", "Graz", "Bergen")
TURN_LINE = re.compile(r'^(t\d+) \S+ \S+ \S+ \w+: "(.*)"$', re.MULTILINE)


def turns_shown(request):
    """The (handle, text) of each turn that a chat completion request asks about; none when it is no reflection."""
    for message in request["messages"]:
        if message["role"] == "user":
            turns = TURN_LINE.findall(message["content"].partition("<turns>")[2])
            if turns:
                return turns
    return []


def understand(text):
    place = next((each for each in PLACES if each in text), "")
    fact = {"subject": "user", "subject_type": "person", "predicate": "event", "qualifier": "", "object": text[:80],
            "object_type": "value", "negated": False, "ended": False, "text": text[:120], "from": "", "to": "",
            "replaces": [], "certainty": 0.9, "quote": text[:60]}
    entities = [{"name": place, "type": "place", "aliases": []}] if place else []
    return {"keep": True, "skip_reason": "", "summary": f"The user repaired a lamp in {place}.", "importance": 0.5,
            "dates": [], "entities": entities, "facts": [fact], "rules": []}


def reflection(turns):
    return json.dumps({handle: understand(text) for handle, text in turns})
