// What world.wit imports, and the event that its export is, as the source sees them.
declare module 'wasi:cli/environment@0.2.10' {
  export function getEnvironment(): [string, string][];
}

declare function addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void;
