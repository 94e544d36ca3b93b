/** Inputs of the catalogue that nothing here can be given yet, and why. */
export const notApplicable: ReadonlyMap<number, string> = new Map([
  [72, 'the same id in another tenant: there are no tenants yet (issue 6)'],
  [84, 'a batch of several tenants: there are no tenants yet (issue 6)'],
  [90, 'introspection without a credential: there are no credentials yet (issue 6)'],
  [105, 'missing, wrong and doubled credentials: there are no credentials yet (issue 6)'],
  [106, 'forged tokens: there are no credentials yet (issue 6)'],
  [107, 'a key in the query: there are no credentials yet (issue 6)'],
  [108, "another tenant's object: there are no tenants yet (issue 6)"],
]);
