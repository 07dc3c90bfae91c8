"""Alerts: what an operator has to know, said once, and once more when it is over.

`conditions.py` finds what is wrong, `texts.py` says it, `channels.py` brings it to people, `sensors.py`
remembers what was said. It stands below the graph because only the graph's history tells what is wrong.
"""
