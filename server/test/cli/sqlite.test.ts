import { cliSuite } from './cli.suite.ts';

cliSuite('on SQLite');
