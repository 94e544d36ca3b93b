import type protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor/index.js';

interface DescribedFile {
  /** The import path. */
  readonly name: string;
  readonly package: string;
  readonly imports: readonly string[];
  /** The part of the package that the file holds; all of it when absent. */
  readonly types?: readonly string[];
}

/** What reflection tells: the hub's service, health, and what their messages and failures hold. */
const files: readonly DescribedFile[] = [
  {
    name: 'google/protobuf/struct.proto',
    package: 'google.protobuf',
    imports: [],
    types: ['Struct', 'Value', 'ListValue', 'NullValue'],
  },
  {
    name: 'google/protobuf/duration.proto',
    package: 'google.protobuf',
    imports: [],
    types: ['Duration'],
  },
  {
    name: 'google/rpc/error_details.proto',
    package: 'google.rpc',
    imports: ['google/protobuf/duration.proto'],
    types: ['ErrorInfo', 'RetryInfo', 'BadRequest'],
  },
  {
    name: 'event_hub.proto',
    package: 'event_hub.v1',
    imports: ['google/protobuf/struct.proto'],
  },
  { name: 'grpc/health/v1/health.proto', package: 'grpc.health.v1', imports: [] },
];

/**
 * The contracts as encoded `FileDescriptorProto`s. protobufjs makes one file a
 * package and leaves out what strict readers such as grpcurl need: the files'
 * own names and imports, full type names, map entries' names and `optional`.
 */
export function fileDescriptors(root: protobuf.Root): Buffer[] {
  const packages = root.toDescriptor('proto3').file as readonly FileDescriptor[];
  return files.map((file) => {
    const whole = packages.find((each) => each.package === file.package);
    if (whole === undefined) throw new Error(`the contracts hold no package ${file.package}`);
    const isHere = ({ name }: { readonly name: string }) => file.types?.includes(name) ?? true;
    const messageType = whole.messageType.filter(isHere);
    for (const message of messageType) {
      complete(message, root.lookupType(`${file.package}.${message.name}`));
    }
    const described = {
      ...whole,
      name: file.name,
      dependency: file.imports,
      messageType,
      enumType: whole.enumType.filter(isHere),
    };
    return descriptor.FileDescriptorProto.encode(described).finish() as Buffer;
  });
}

function complete(message: MessageDescriptor, type: protobuf.Type): void {
  for (const field of message.field) {
    const declared = type.fields[field.name];
    if (declared === undefined) continue;
    if (declared.map) completeMap(message, field, declared);
    else if (declared.resolvedType !== null) field.typeName = declared.resolvedType.fullName;
    if (declared.options?.proto3_optional === true) field.proto3Optional = true;
  }
  for (const nested of message.nestedType) {
    if (type.nested?.[nested.name] !== undefined) complete(nested, type.lookupType(nested.name));
  }
}

/** A map is a repeated field of a nested entry type, whose name the compiler makes. */
function completeMap(
  message: MessageDescriptor,
  field: FieldDescriptor,
  declared: protobuf.Field,
): void {
  const entry = message.nestedType.find((each) => each.name === field.typeName);
  if (entry === undefined) throw new Error(`the map ${field.name} has no entry type`);
  const camel = field.name.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  entry.name = `${camel}Entry`;
  field.typeName = `${declared.parent?.fullName}.${entry.name}`;
  const value = entry.field.find((each) => each.name === 'value');
  if (value !== undefined && declared.resolvedType !== null) {
    value.typeName = declared.resolvedType.fullName;
  }
}

/** What protobufjs's extension makes; its typings leave everything open. */
interface FileDescriptor {
  readonly package: string;
  readonly messageType: readonly MessageDescriptor[];
  readonly enumType: readonly { readonly name: string }[];
}

interface MessageDescriptor {
  name: string;
  readonly field: readonly FieldDescriptor[];
  readonly nestedType: readonly MessageDescriptor[];
}

interface FieldDescriptor {
  readonly name: string;
  typeName: string;
  proto3Optional?: boolean;
}
