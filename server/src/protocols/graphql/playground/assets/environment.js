// The editor starts its workers from the hub, like everything else.
self.MonacoEnvironment = {
  globalAPI: false,
  getWorkerUrl: (_module, label) => `/graphql/assets/${label}.js`,
};
