# SPDX-License-Identifier: GPL-2.0-only
"""build/bench/sets.json as text."""

import json


def text(result):
    print(json.dumps(result, indent=1)[:20000])
