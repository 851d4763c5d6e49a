import type { Place } from './service.js'

/** Where things of an instance stand on its node. Docs: "A node after bootstrap". */
export const layout = {
  /** The code of one release, owned by root. */
  release: ({ home }: Place, release: string) => `${home}/releases/${release}`,
  /** What kraft adds to a release. */
  meta: (place: Place, release: string) => `${layout.release(place, release)}/.kraft`,
  /** One start of a release's processes: its environment, and the link to its socket. A reload makes another. */
  generation: (place: Place, release: string, generation: string) => `${layout.meta(place, release)}/${generation}`,
  current: ({ home }: Place) => `${home}/current`,
  venv: ({ home }: Place, hash: string) => `${home}/venvs/${hash}`,
  uploads: ({ home }: Place) => `${home}/uploads`,
  shared: ({ home }: Place) => `${home}/shared`,
  dumps: ({ home }: Place) => `${home}/dump`,
  log: ({ home }: Place) => `${home}/log`,
  /** Files by which nginx knows that the site is closed. No Python package can have this name. */
  closed: ({ home }: Place) => `${home}/out-of-service`,
  /** The page of a stopped instance, which is how everything knows that it is stopped. */
  stopped: (place: Place) => `${layout.closed(place)}/stopped/index.html`,
  /** The user's own, outside of the code. */
  userHome: ({ home }: Place) => `${home}/home`,
  /** What kraft keeps of an instance: owner, generated secrets, the script that enters its environment. Root only. */
  settings: ({ name }: Place) => `/etc/kraftwerk/${name}`,
  /** What nginx is told of a move to or from this node. Root only. */
  move: (place: Place) => `${layout.settings(place)}/move`,
  /** There once the instance has moved to another node, whose name it holds: nginx passes everything on, and cron does nothing. */
  moved: (place: Place) => `${layout.closed(place)}/moved`,
  /** On tmpfs, while data are on their way to or from this node: should it boot, it is as before. */
  moving: (place: Place) => `${layout.sockets(place)}/move`,
  /** Its certificates, their settings, and what gives it TLS. Root only. */
  https: (place: Place) => `${layout.settings(place)}/https`,
  /** What proves to an ACME server that the domain is ours. */
  challenge: ({ home }: Place) => `${home}/challenge`,
  /** The program that puts the time before each line of a log. */
  logger: (place: Place) => `${layout.settings(place)}/log`,
  /** What `kraft env` keeps: NAME='value' for each variable. */
  environ: (place: Place) => `${layout.settings(place)}/environ`,
  /** Who changed it when, and which names: a JSON document a line, no values. */
  environHistory: (place: Place) => `${layout.settings(place)}/environ.history`,
  /** The names of `superusers:` that were seen to, one a line. */
  superusers: (place: Place) => `${layout.settings(place)}/superusers`,
  /** On tmpfs: sockets, which root makes, so that the application can't put a link to another's in their place. */
  sockets: ({ name }: Place) => `/run/web/${name}`,
  socket: (place: Place, generation: string) => `${layout.sockets(place)}/${generation}.sock`,
  /** The socket of those who served before, as long as they drain: nginx asks them where the new ones take no connection. */
  former: (place: Place) => `${layout.sockets(place)}/former.sock`,
  /** Root's, on tmpfs: a generation that is being tried and may run although it is not current. Gone after a power cut. */
  trial: ({ name }: Place, generation: string) => `/run/web/.trial/${name}.${generation}`,
  /** On a balancer's tmpfs: there while it sends nothing to this web node. */
  out: ({ name }: Place, node: string) => `/run/web/.out/${name}/${node}`,
  /** The user that builds virtualenvs and static files, so that the application can't write them. */
  builder: ({ name }: Place) => `${name}-build`,
  builderHome: ({ home }: Place) => `${home}/venvs/.home`,
  /** The runit service of a generation. */
  runit: ({ name }: Place, generation: string) => `${name}.web.${generation}`,
  /** The runit services of a process are called so, with the number of the copy behind. */
  process: ({ name }: Place, process: string) => `${name}.process.${process}`,
  /** How often the services that it names ended by themselves. Root's, on tmpfs. */
  ends: '/run/web/.ends',
  /** Counts that `kraft scale` has set, a file for each. */
  scale: (place: Place) => `${layout.settings(place)}/scale`,
  /** A script for each cron entry. */
  cron: (place: Place) => `${layout.settings(place)}/cron`,
  /** How the last run of a cron entry went, and beside it its lock. Root's, on tmpfs. */
  cronState: ({ name }: Place, entry: string) => `/run/web/.cron/${name}.${entry}`,
  /** The folder of a service that keeps its data in files; root's, and what is in it belongs to the instance. */
  service: ({ home }: Place, service: string) => `${home}/${service}`,
  /** The runit service of a server that the instance has for itself. No instance can have a name with a plus in it. */
  server: ({ name }: Place, service: string) => `${name}+${service}`,
  /** On tmpfs, in a folder that only the instance's user can enter. */
  serverSocket: (place: Place, service: string) => `${layout.sockets(place)}/${service}/${service}.sock`,
  /** What a server was started with. Root's, on tmpfs. */
  serverStarted: (place: Place, service: string) => `${layout.sockets(place)}/${service}.started`,
  /** Variables of a service that hold secrets, as assignments; read when the instance's processes start. Root only. */
  made: (place: Place, service: string) => `${layout.settings(place)}/made/${service}`,
  /** Variables by which root reaches a server that is elsewhere, with its password. Root only. */
  access: (place: Place, service: string) => `${layout.settings(place)}/${service}.access`,
  /** On a node with the role db: the password that others come with, and their addresses. Root only. */
  password: (place: Place, service: string) => `${layout.settings(place)}/${service}.password`,
  clients: (place: Place, service: string) => `${layout.settings(place)}/${service}.clients`,
  /** What makes backups on the node by itself, with its credentials and its last result. Root only. */
  backup: (place: Place) => `${layout.settings(place)}/backup`,
  /** What sends static files to an S3, with its credentials and what it has sent. Root only. */
  staticBucket: (place: Place) => `${layout.settings(place)}/static`,
  /** The services that the last deploy set up, one a line. */
  services: (place: Place) => `${layout.settings(place)}/services`,
} as const
