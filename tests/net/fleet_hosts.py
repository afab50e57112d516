#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Hosts of a fleet that have no filter: they do as `fleet follow` does, as far as etcd sees it.

fleet_hosts.py URL PREFIX RULESET FOLDER HOST...

What a host is to do stands in FOLDER/HOST, and may change: nothing (it takes what it is to have), "fail REASON" (each
revision that is not the last good one), "silent" (it does nothing any more), "gone" (its lease has ended). FOLDER/log
has a line for each thing that one did: "HOST took REVISION", "HOST failed REVISION", "HOST back REVISION".
"""
import base64
import hashlib
import json
import os
import sys
import time
import urllib.request

URL, PREFIX, RULESET, FOLDER = sys.argv[1:5]


def call(path, **body):
    request = urllib.request.Request(URL + "/v3/" + path, json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def b64(text):
    return base64.b64encode(text.encode()).decode()


def get(folder):
    """The record under PREFIX/folder/RULESET with its number, or None."""
    kvs = call("kv/range", key=b64(f"{PREFIX}{folder}/{RULESET}")).get("kvs")
    if not kvs:
        return None
    record = json.loads(base64.b64decode(kvs[0]["value"]))
    record.setdefault("revision", int(kvs[0]["mod_revision"]))
    return record


class Host:
    def __init__(self, name):
        self.name = name
        self.have = None  # (revision, id)
        self.failed = None
        self.reason = None
        self.said = None

    def log(self, what, revision):
        with open(os.path.join(FOLDER, "log"), "a") as log:
            log.write(f"{self.name} {what} {revision}\n")

    def orders(self):
        try:
            with open(os.path.join(FOLDER, self.name)) as file:
                return file.read().strip()
        except FileNotFoundError:
            return ""

    def wanted(self, revision, stage, good):
        if revision and stage and stage["id"] == revision["id"] and stage["state"] != "stopped":
            order = hashlib.sha256(f"{self.name}\n{stage['id']}".encode()).hexdigest()
            if order <= stage["upto"]:
                return revision
        return good

    def step(self, revision, stage, good):
        orders = self.orders()
        wanted = self.wanted(revision, stage, good)
        if orders == "silent":
            return
        if orders == "gone":
            self.say(None)
            return
        if not wanted:
            self.have = None
        if wanted and (not self.have or self.have[0] != wanted["revision"]):
            self.take(wanted, good, orders)
        self.say(self.record(wanted))

    def take(self, wanted, good, orders):
        number = wanted["revision"]
        if self.failed == number:
            return
        if orders.startswith("fail") and not (good and good["id"] == wanted["id"]):
            self.failed, self.reason = number, orders[5:]
            self.log("failed", number)
            return
        self.log("back" if self.have and number < self.have[0] else "took", number)
        self.have = (number, wanted["id"])

    def record(self, wanted):
        mine = {"state": "waiting", "rules": 1, "drops_per_second": 0.5}
        if wanted:
            mine.update(wanted=wanted["revision"], id=wanted["id"])
            if self.failed == wanted["revision"]:
                mine["state"] = "failed"
            elif self.have and self.have[1] == wanted["id"]:
                mine["state"] = "in-force"
        if self.have:
            mine["in_force"] = self.have[0]
        if self.failed:
            mine.update(failed=self.failed, reason=self.reason)
        return {"format": 1, "host": self.name, "version": "0.1.0", "time": "2026-11-29T09:12:03Z",
                "interfaces": [{"name": "eth0", "mode": "native", "engine": "bpf", "rulesets": ["default"]}],
                "rulesets": {RULESET: mine}}

    def say(self, record):
        if record == self.said:
            return
        key = b64(f"{PREFIX}hosts/{self.name}")
        if record:
            call("kv/put", key=key, value=b64(json.dumps(record)))
        else:
            call("kv/deleterange", key=key)
        self.said = record


def main():
    hosts = [Host(name) for name in sys.argv[5:]]
    while True:
        try:
            # In this order: what is good is never older than what was stopped.
            revision, stage, good = get("rulesets"), get("stages"), get("good")
            for host in hosts:
                host.step(revision, stage, good)
        except OSError:
            pass  # etcd is away
        time.sleep(0.02)


main()
