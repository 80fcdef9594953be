"""The supervisor's configuration. No path and no value of the user's is in it: they would need quoting in three ways.

The supervisor runs in VAR, and ``child`` looks up what to become in ``run/programs.json``.
"""

from tradingplatform.launcher.programs import GROUPS, Program

HEAD = """\
[supervisord]
nodaemon=true
silent=true
nocleanup=true
logfile=log/supervisor.log
logfile_maxbytes=5MB
logfile_backups=2
pidfile=run/supervisor.pid
childlogdir=log
{user}"""

# startsecs=0: a child counts as running at once, so that its death is always followed by a restart and never by
# FATAL. stopasgroup=false: a pool child that is told to stop tears its tick apart; its parent lets it finish.
PROGRAM = """
[program:{name}]
command="%(ENV_PLATFORM_PYTHON)s" -I "%(ENV_PLATFORM_CHILD)s" {name}
autorestart=true
startsecs=0
startretries=1000000000
stopsignal=TERM
stopwaitsecs={stop_s}
stopasgroup=false
killasgroup=true
redirect_stderr=true
stdout_logfile=log/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
"""

GROUP = """
[group:{name}]
programs={programs}
priority={priority}
"""


def render(programs: list[Program], as_root: bool) -> str:
    """supervisord.conf. ``as_root``: say so, which spares the supervisor its warning about it."""
    text = [HEAD.format(user="user=root\n" if as_root else "")]
    text += [PROGRAM.format(name=program.name, stop_s=program.stop_s) for program in programs]
    for priority, group in enumerate(GROUPS, start=1):
        names = [program.name for program in programs if program.group == group]
        if names:
            text.append(GROUP.format(name=group, programs=",".join(names), priority=priority))
    return "".join(text)
