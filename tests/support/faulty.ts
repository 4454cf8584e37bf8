/** A thing whose methods fail when they are told to, and work like `inner`'s otherwise. */
export interface Faulty<T> {
  readonly it: T;
  /** The next `times` calls of `method` throw `error` instead of reaching `inner`. */
  failNext(method: keyof T, error: Error, times?: number): void;
}

export function faulty<T extends object>(inner: T): Faulty<T> {
  const faults: { readonly method: PropertyKey; readonly error: Error }[] = [];
  const it = new Proxy(inner, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        const at = faults.findIndex(({ method }) => method === property);
        if (at < 0) return Reflect.apply(value, target, args);
        throw faults.splice(at, 1)[0]?.error;
      };
    },
  });
  return {
    it,
    failNext(method, error, times = 1) {
      for (let count = 0; count < times; count += 1) faults.push({ method, error });
    },
  };
}
