/** What every variable of the hub starts with. */
export const envPrefix = 'EVENT_HUB_';

/** Variables that the command line reads itself; they are no settings. */
export const commandLineEnv = {
  config: `${envPrefix}CONFIG`,
  url: `${envPrefix}URL`,
  grpcUrl: `${envPrefix}GRPC_URL`,
  apiKey: `${envPrefix}API_KEY`,
  apiKeyFile: `${envPrefix}API_KEY_FILE`,
  clientCert: `${envPrefix}CLIENT_CERT`,
  clientKey: `${envPrefix}CLIENT_KEY`,
} as const;
