/**
 * Takes plain http, loopback redirects and the Auth emulator. Never in production: a search for this symbol finds
 * each place that turns it on.
 */
export const developmentOnly: unique symbol = Symbol('chartseal: development only');
