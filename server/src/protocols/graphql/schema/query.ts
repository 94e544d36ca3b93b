import { builder } from './builder.ts';
import './event-queries.ts';
import './metrics-queries.ts';

builder.queryType({
  description: 'What can be read. Every read takes `atLeast`, to read what a send just wrote.',
});
