/** See delay.mjs. */
export interface Delay {
  readonly port: number
  turns(): number
  connections(): number
  cut(): void
  stop(): Promise<void>
}
export function startDelay(port: number, milliseconds: number, host?: string): Promise<Delay>
