"""Two hands as their readers find them, and as a page sends them."""

from __future__ import annotations

import re

from lesions.hand_score import instrument

# The total of the first reading: a number that stands nowhere else.
SURE = {"L-MC1": (100, 3), "L-MC2": (100, 3), "L-MC3": (71, 2), "L-MC4": (100, 3), "L-MC5": (97, 3)}
FIRST = SURE | {"R-D2.DIST": (83, 3)}
TOTAL, SITE = "1582", "83"
ALL = [(hand, site) for hand in "RL" for site in instrument().labels]


# The page's own numbers: the microseconds of a time ("33.7", one run in a few hundred), tokens and nonces.
ITS_OWN = re.compile(r'(datetime|nonce)="[^"]*"|name="csrfmiddlewaretoken" value="[^"]*"')


def typed(sites=None, **more) -> dict[str, str]:
    data = {"version": "0"}
    for hand, site in ALL:
        coverage, density = (sites or {}).get(f"{hand}-{site}", (0, 0))
        data |= {f"{hand}-{site}-coverage": str(coverage), f"{hand}-{site}-density": str(density)}
    return data | more


def told_by(client, address: str) -> str:
    answer = client.get(address, follow=True)
    assert answer.status_code in (200, 404), address
    return ITS_OWN.sub("", answer.content.decode())
