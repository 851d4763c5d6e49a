"""Runs a program in a pseudo-terminal: pseudo-terminal.py COLUMNS ROWS PROGRAM ARGS...

Its keys come from stdin, what it draws goes to stdout, and lines "COLUMNS ROWS" on file descriptor 3 change the size. Ends with
the program's exit code, or 128 and the number of the signal that ended it.
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios

CONTROL = 3


def resize(terminal, columns, rows):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def write(to, data):
    while data:
        data = data[os.write(to, data) :]


columns, rows, *program = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    os.close(CONTROL)
    # Before the program starts, so that it never sees another size.
    resize(0, int(columns), int(rows))
    os.execvp(program[0], program)

sources = [0, CONTROL, terminal]
while True:
    for source in select.select(sources, [], [])[0]:
        try:
            data = os.read(source, 65536)
        except OSError:
            # Linux's way to say that nobody has the other end of the terminal any more.
            data = b""
        if source == terminal:
            if not data:
                sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) % 256)
            write(1, data)
        elif not data:
            sources.remove(source)
        elif source == CONTROL:
            # The kernel tells the program by SIGWINCH.
            resize(terminal, *map(int, data.split()[-2:]))
        else:
            write(terminal, data)
