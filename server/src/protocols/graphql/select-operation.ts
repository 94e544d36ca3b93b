import { type DocumentNode, Kind, type OperationDefinitionNode } from 'graphql';
import { type HubError, invalid } from '../../base/errors.ts';
import { jsonPointer } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import type { Variables } from './limits/field-cost.ts';

/** The operation to run. Throws `invalid` where that is not certain. */
export function selectOperation(
  document: DocumentNode,
  operationName: string | undefined,
): OperationDefinitionNode {
  const operations = document.definitions.filter(
    (definition) => definition.kind === Kind.OPERATION_DEFINITION,
  );
  const [first] = operations;
  if (first === undefined) throw unclear('the document has no operation: add a query');
  if (operationName === undefined) {
    if (operations.length === 1) return first;
    throw unclear(
      `the document has ${operations.length} operations: name one of them in operationName`,
    );
  }
  const named = operations.find((operation) => operation.name?.value === operationName);
  if (named !== undefined) return named;
  const shown = JSON.stringify(operationName.slice(0, limits.echoedCharacters));
  throw unclear(`the document has no operation with the name ${shown}`);
}

/** A variable that the operation does not declare would have no effect: most likely its name is wrong. */
export function refuseUnknownVariables(
  operation: OperationDefinitionNode,
  variables: Variables,
): void {
  const declared = new Set(
    operation.variableDefinitions?.map((definition) => definition.variable.name.value),
  );
  for (const name of Object.keys(variables)) {
    if (declared.has(name)) continue;
    const shown = name.slice(0, limits.echoedCharacters);
    const detail = `the operation declares no variable $${shown}: declare it, or leave it out`;
    throw invalid(jsonPointer(['variables', name]), 'unknown_variable', detail);
  }
}

function unclear(detail: string): HubError {
  return invalid('/operationName', 'unclear_operation', detail);
}
