#!/usr/bin/env python3
"""Django's command line for the guestbook."""

import os
import sys


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guestbook.settings")
    # The development server is the one place where pages with tracebacks are wanted.
    if sys.argv[1:2] == ["runserver"]:
        os.environ.setdefault("DEBUG", "on")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
