"""``python -S watcher.py FILE COMMAND…``: runs the command and writes [its end, processor time, kilobytes] to FILE."""

import json
import os
import sys

child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_child, status, used = os.wait4(child, 0)
with open(sys.argv[1], "w", encoding="ascii") as told:
    json.dump([os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss], told)
