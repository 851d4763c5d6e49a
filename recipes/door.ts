import type { Sh } from '../engine/shell/sh.js'
import type { Door, Place } from '../project/service.js'
import { becomeInstance } from './service-shell.js'

// It ends when the service ends the connection; a client's end is passed on, and the rest of the answer still comes.
const relay = `import os, socket, sys, threading
at, *named = sys.argv[1:]
try:
    if named:
        at = os.environ[at]
        service = socket.create_connection((at, int(os.environ.get(named[0]) or named[1])))
    elif at.isdigit():
        service = socket.create_connection(("127.0.0.1", int(at)))
    else:
        service = socket.socket(socket.AF_UNIX)
        service.connect(at)
except OSError as error:
    sys.exit(f"Nothing answers at {at}{'' if named else ' of the node'}: {error.strerror}")
def there():
    try:
        while data := os.read(0, 65536):
            service.sendall(data)
        service.shutdown(socket.SHUT_WR)
    except OSError:
        pass
threading.Thread(target=there, daemon=True).start()
try:
    while data := service.recv(65536):
        while data:
            data = data[os.write(1, data):]
except OSError:
    pass
os._exit(0)
`

/** A command that ties its input and output to a socket, to a port of the node's loopback, or to where variables say. */
export function relayTo(at: Door['at']): readonly string[] {
  if (typeof at === 'object' && 'command' in at) return at.command
  const words = typeof at === 'object' ? [at.host, at.port, at.usual] : [at]
  return ['/usr/bin/python3', '-Ic', relay, ...words.map(String)]
}

/**
 * Ties its input and output to a service, as the instance's user: so whoever comes over it has the rights of the application, and
 * a service that asks who is there needs no password. For root.
 */
export function throughDoor(place: Place, { at }: Door, access?: string): Sh {
  return becomeInstance(place, relayTo(at), access)
}
