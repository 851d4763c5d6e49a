/** See cable.mjs. */
export interface FarNodes {
  readonly names: readonly string[]
  turns(): number
  connections(): number
  stop(): Promise<void>
}
export function overCable(home: string, nodes: readonly string[], milliseconds: number): Promise<FarNodes>
