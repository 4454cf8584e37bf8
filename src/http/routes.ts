import type { FastifyInstance } from 'fastify';
import { type OperationName, operationNames, rowOf } from '../protocol/operations.ts';
import type { Query } from './request-target.ts';

/** An operation at a route, and the query literal that tells it from the others there. */
interface Choice {
  readonly name: OperationName;
  readonly literal?: { readonly name: string; readonly value: string };
}

/** Method and path, with the operations that are found there. */
export interface Route {
  readonly method: string;
  readonly url: string;
  readonly choices: readonly Choice[];
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a request to this route is for: one of the API's operations, or the health check. */
    readonly serves?: Route | 'health';
  }
}

/** Where the health of the server is told, to anybody. */
export const healthPath = '/healthz';

/** The routes of the API, read off the table of operations. */
export function routesOfTable(): Route[] {
  const routes = new Map<string, { method: string; url: string; choices: Choice[] }>();
  for (const name of operationNames) {
    const [method = '', template = ''] = rowOf(name).http.split(' ');
    const [path = '', literal] = template.split('?');
    const url = path.replaceAll(/\{(\w+)\}/g, ':$1');
    // Parameters at one place have different names in different rows; the place is what counts.
    const key = `${method} ${path.replaceAll(/\{\w+\}/g, ':')}`;
    const route = routes.get(key) ?? { method, url, choices: [] };
    routes.set(key, route);
    if (literal === undefined) {
      route.choices.push({ name });
    } else {
      const [literalName = '', value = ''] = literal.split('=');
      route.choices.push({ name, literal: { name: literalName, value } });
    }
  }
  return [...routes.values()];
}

/**
 * Makes the router know the table and the health check. The handlers are never reached: everything
 * happens before Fastify would look at the body.
 */
export function registerRoutes(app: FastifyInstance): void {
  const unreachable = () => Promise.reject(new Error('the pipeline answers every request'));
  for (const route of routesOfTable()) {
    const { method, url } = route;
    app.route({ method, url, config: { serves: route }, handler: unreachable });
  }
  app.route({
    method: ['GET', 'HEAD'],
    url: healthPath,
    config: { serves: 'health' },
    handler: unreachable,
  });
  app.setNotFoundHandler(unreachable);
}

/** The operation that a request to `route` asks for, or undefined when there is none. */
export function operationAt(route: Route | undefined, query: Query): OperationName | undefined {
  return route?.choices.find(
    ({ literal }) => literal === undefined || query.get(literal.name) === literal.value,
  )?.name;
}
