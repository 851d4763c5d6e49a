/** The public API of kraftwerk, for kraftfiles and plugins. */

/**
 * [Valibot](https://valibot.dev), in which the settings of services, providers and vaults of your own are described: kraft makes validation,
 * completion, documentation and the JSON Schema of them.
 *
 * @example const settings = schema.object({ core: schema.pipe(schema.string(), schema.description('Name of the core')) })
 */
export * as schema from 'valibot'
export type { Failure } from './engine/errors/failure.js'
export { KraftError } from './engine/errors/failure.js'
export type { Facts } from './engine/node/facts.js'
export type { Node } from './engine/node/node.js'
export { provider } from './engine/node/own-provider.js'
export type { CreateRequest, NodeState, Provider } from './engine/node/provider.js'
export type { NodeRecord } from './engine/node/record.js'
export type { Line } from './engine/report/report.js'
export type { Secret } from './engine/shell/secret.js'
export { isSecret, reveal, secret } from './engine/shell/secret.js'
export { lines, sh } from './engine/shell/sh.js'
export type { Handler, Recipe, Step } from './engine/step/step.js'
export { parallel, series } from './engine/task/compose.js'
export type { NodeContext, Target, TargetContext, TaskProject } from './engine/task/context.js'
export { eachNode } from './engine/task/each-node.js'
export { after, before } from './engine/task/hooks.js'
export { inBatches } from './engine/task/in-batches.js'
export { option } from './engine/task/option.js'
export { result } from './engine/task/result.js'
export type { Task } from './engine/task/task.js'
export { task } from './engine/task/task.js'
export { service } from './project/define-service.js'
export { layout } from './project/layout.js'
export type { Copy, Developer, Door, Elsewhere, Here, Place, Service, ServiceData } from './project/service.js'
export type { Vault } from './project/vault.js'
export { vault } from './project/vault.js'
