import type { Channel, Exit } from './connection.js'

/** Feeds a command its input and collects what it says until it ends. */
export async function gather(channel: Channel, input?: string | Buffer): Promise<{ stdout: string; stderr: string; exit: Exit }> {
  const [stdout, stderr] = [collect(channel.stdout), collect(channel.stderr)]
  channel.stdin.end(input)
  const exit = await channel.exit
  return { stdout: stdout(), stderr: stderr(), exit }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString()
}
