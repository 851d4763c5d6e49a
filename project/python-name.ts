const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/** Words of Python's grammar, which can't be names. */
const keywords = words(`
  and as assert async await break class continue def del elif else except finally for from global if import in is lambda
  nonlocal not or pass raise return try while with yield
`)

/** Modules that Python 3.10 to 3.13 bring along; a package of the same name would hide one of them, or be hidden. */
const standard = words(`
  abc aifc antigravity argparse array ast asynchat asyncio asyncore atexit audioop base64 bdb binascii binhex bisect builtins
  bz2 calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys compileall concurrent configparser contextlib
  contextvars copy copyreg crypt csv ctypes curses dataclasses datetime dbm decimal difflib dis distutils doctest email
  encodings ensurepip enum errno faulthandler fcntl filecmp fileinput fnmatch fractions ftplib functools gc genericpath getopt
  getpass gettext glob graphlib grp gzip hashlib heapq hmac html http idlelib imaplib imghdr imp importlib inspect io
  ipaddress itertools json keyword lib2to3 linecache locale logging lzma mailbox mailcap marshal math mimetypes mmap
  modulefinder msilib msvcrt multiprocessing netrc nis nntplib nt ntpath nturl2path numbers opcode operator optparse os
  ossaudiodev pathlib pdb pickle pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint profile pstats pty
  pwd py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re readline reprlib resource rlcompleter runpy sched
  secrets select selectors shelve shlex shutil signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile
  sre_constants sre_parse ssl stat statistics string stringprep struct subprocess sunau symtable sys sysconfig syslog tabnanny
  tarfile telnetlib tempfile termios test tests textwrap this threading time timeit tkinter token tokenize tomllib trace
  traceback tracemalloc tty turtle turtledemo types typing unicodedata unittest urllib uu uuid venv warnings wave weakref
  webbrowser winreg winsound wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib zoneinfo
`)

/** Packages that the skeletons, their frameworks and kraft install beside the project, and labels of Django's own applications. */
const installed = words(`
  django flask gunicorn werkzeug jinja2 click itsdangerous markupsafe blinker psycopg psycopg2 dj_database_url pil pillow asgiref
  sqlparse redis celery pip setuptools wheel pkg_resources admin auth contenttypes sessions messages staticfiles
`)

/** Files and folders that stand beside a project's package, in the project or in the instance's folder on a node. */
const beside = words('all manage current releases venvs uploads shared dump log run static media kraftfile kraftwerk')

/**
 * Why this can't be the name of a Python package in a project, or undefined if it can.
 *
 * @example refusal('test') // 'Python brings a module of this name'
 */
export function refusal(name: string): string | undefined {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) return 'a Python name has small letters, digits and underscores, and starts with a letter'
  if (keywords.includes(name)) return 'it is a word of Python itself'
  if (standard.includes(name)) return 'Python brings a module of this name'
  if (installed.includes(name)) return 'a package of this name is installed beside the project'
  if (beside.includes(name)) return 'kraft needs this name for a file or folder beside the package'
  return undefined
}
