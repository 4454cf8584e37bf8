import { PolicyError, quoted } from './policy-error.ts';

/** `glacier:Describe*`; no wildcard in the service. */
const actionPattern = /^([A-Za-z0-9-]+):([A-Za-z0-9*?]+)$/;

/** The two halves of an action's pattern, in lower case: actions are compared without regard to it. */
export interface ActionPattern {
  readonly service: string;
  readonly name: string;
}

/** The halves of `service:name`. Nothing for `*`, and for what is no action. */
export function splitAction(action: string): ActionPattern | undefined {
  const [, service, name] = actionPattern.exec(action) ?? [];
  if (service === undefined || name === undefined) return undefined;
  return { service: service.toLowerCase(), name: name.toLowerCase() };
}

/** Refuses what is neither `*` nor a service, a colon and a name. */
export function checkAction(action: string, where: string): void {
  if (action === '*' || splitAction(action) !== undefined) return;
  throw new PolicyError(
    `${where} has an action ${quoted(action)}, which is neither "*" nor a service, a colon and a \
name.`,
  );
}
