import { readFileSync } from 'node:fs';
import { getNamedType, isInputObjectType, isInterfaceType, isObjectType } from 'graphql';
import { describe, expect, it } from 'vitest';
import { buildSchema, printSdl } from '../../../src/protocols/graphql/schema/build-schema.ts';

describe('the schema', () => {
  it('is the one in contracts/schema.graphql (else: node server/scripts/write-contracts.ts)', () => {
    const file = new URL('../../../../contracts/schema.graphql', import.meta.url);
    expect(printSdl()).toBe(readFileSync(file, 'utf8'));
  });

  it('describes every type, field and argument', () => {
    const undescribed: string[] = [];
    const note = (name: string, text: string | null | undefined) => {
      if (!text) undescribed.push(name);
    };
    for (const type of Object.values(buildSchema().getTypeMap())) {
      if (type.name.startsWith('__')) continue;
      note(type.name, type.description);
      if (isInputObjectType(type)) {
        for (const field of Object.values(type.getFields())) {
          note(`${type.name}.${field.name}`, field.description);
        }
      } else if (isObjectType(type) || isInterfaceType(type)) {
        for (const field of Object.values(type.getFields())) {
          note(`${type.name}.${field.name}`, field.description);
          for (const arg of field.args) note(`${field.name}(${arg.name}:)`, arg.description);
        }
      }
    }
    expect(undescribed).toEqual([]);
  });

  it('offers atLeast on every read that is no stream', () => {
    const fields = Object.values(buildSchema().getQueryType()?.getFields() ?? {});
    expect(fields.length).toBeGreaterThan(4);
    for (const field of fields) {
      const atLeast = field.args.find((arg) => arg.name === 'atLeast');
      expect(atLeast && getNamedType(atLeast.type).name, field.name).toBe('String');
    }
  });
});
