/** The version of this build, as `/healthz`, the MCP server and the command line say it. */
export const VERSION = '0.1.0';
