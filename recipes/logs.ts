import { type Sh, sh } from '../engine/shell/sh.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { balancerLog } from './balancer.js'

/** Which lines of an instance's logs are wanted. */
export interface WantedLogs {
  /** Names of logs; `worker` means its other copies as well, `nginx` both of nginx's. None: all. */
  readonly names: readonly string[]
  /** The newest lines of each, also from files that were rotated. */
  readonly lines: number
  /** Goes on with what comes, until its input ends. */
  readonly follow: boolean
}

/** Between two of these lines all is said that was new at one look. */
export const lookEnd = '\u0001'
/** Begins the first line: seconds that the node's clock is ahead of UTC, and the names of all logs. */
export const lookHead = '\u0002'

/** What it says where nothing of the instance is. */
export const noLogs = 'There are no logs of it on this node'

// It finds out of rotation and of new files by itself, once it has read what it has open to the end.
const reader = String.raw`import glob, gzip, os, re, select, sys, time
folder, access, error, lines, follow, *names = sys.argv[1:]
lines, out = int(lines), sys.stdout.buffer
def listed(path):
    return sorted(os.listdir(path)) if os.path.isdir(path) else []
def logs():
    # One that was renamed comes back with its next line.
    gone = [re.sub(r"\.\d+(\.gz)?$", "", name) for name in listed(folder + "/.old")]
    found = {name: (f"{folder}/{name}", f"{folder}/.old/{name}.") for name in sorted({*listed(folder), *gone}) if name[0] != "."}
    # Those of a balancer, which has no folder of the instance's.
    found |= {name: (path, path + ".") for name, path in (("nginx.access", access), ("nginx.error", error)) if name not in found}
    return {name: both for name, both in found.items() if os.path.isfile(both[0]) or rotated(both[1])}
def wanted():
    return {name: both for name, both in logs().items() if not names or any(name == each or name.startswith(each + ".") for each in names)}
def say(name, line):
    out.write(name.encode() + b"\t" + line.rstrip(b"\r") + b"\n")
def tail(file):
    end = at = file.seek(0, 2)
    text = b""
    while at > 0 and text.count(b"\n") <= lines:
        size = min(at, 1 << 16)
        at -= size
        file.seek(at)
        text = file.read(size) + text
    file.seek(end)
    found = text.split(b"\n")
    rest = found.pop()
    return found[1:] if at > 0 else found, rest
def rotated(start):
    number = lambda path: path[len(start):].removesuffix(".gz")
    paths = [path for path in glob.glob(glob.escape(start) + "*") if number(path).isdigit()]
    return sorted(paths, key=lambda path: int(number(path)))
def older(start, found):
    for path in rotated(start):
        if len(found) >= lines:
            break
        with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
            found = file.read().splitlines() + found
    return found[-lines:] if lines else []
followed = {}
class Log:
    def __init__(self, name, path, start, first):
        self.name, self.path = name, path
        self.file = open(path, "rb")
        self.rest = b""
        if first:
            found, self.rest = tail(self.file)
            for line in older(start, found):
                say(name, line)
    def read(self):
        if self.file.tell() > os.fstat(self.file.fileno()).st_size:
            self.file.seek(0)
            self.rest = b""
        new = False
        while chunk := self.file.read(1 << 16):
            found = (self.rest + chunk).split(b"\n")
            self.rest = found.pop()
            for line in found:
                say(self.name, line)
                new = True
        return new
    def renamed(self):
        mine = os.fstat(self.file.fileno())
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return True
        return (mine.st_dev, mine.st_ino) != (there.st_dev, there.st_ino)
if not logs():
    sys.exit("${noLogs}")
offset = time.localtime().tm_gmtoff
out.write(b"\x02" + "\t".join([str(offset), *logs()]).encode() + b"\n")
for name, both in wanted().items():
    if not os.path.isfile(both[0]):
        for line in older(both[1], []):
            say(name, line)
        continue
    followed[name] = Log(name, *both, True)
    if follow != "1" and followed[name].rest:
        say(name, followed[name].rest)
out.write(b"\x01\n")
out.flush()
while follow == "1":
    if select.select([0], [], [], 0.2)[0] and not os.read(0, 4096):
        break
    new = False
    for name, log in list(followed.items()):
        gone = log.renamed()
        # What was written before it was renamed, and the line that was on its way just then.
        if gone:
            time.sleep(0.05)
        new = log.read() or new
        if gone:
            log.file.close()
            del followed[name]
    for name, both in wanted().items():
        if name not in followed and os.path.isfile(both[0]):
            followed[name] = Log(name, *both, False)
            new = followed[name].read() or new
    if new:
        out.write(b"\x01\n")
        out.flush()
`

/** Prints lines of logs, each behind the log's name and a tab, for {@link import('../tasks/log-lines.js').LogReader}. For root. */
export function readLogs(place: Place, { names, lines, follow }: WantedLogs): Sh {
  const own = [layout.log(place), balancerLog(place, 'access'), balancerLog(place, 'error')]
  return sh`exec /usr/bin/python3 -Ic ${reader} ${[...own, lines, follow ? '1' : '0', ...names]}`
}
