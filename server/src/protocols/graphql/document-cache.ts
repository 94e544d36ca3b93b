import type { DocumentNode } from 'graphql';
import { limits } from '../../base/limits.ts';

/**
 * Documents that were parsed and found valid, by their text, so that the same
 * query with other variables is not read again. Long ones and old ones are not
 * kept: a document that is sent once must cost no memory.
 */
export class DocumentCache {
  readonly #documents = new Map<string, DocumentNode>();

  get(query: string): DocumentNode | undefined {
    const document = this.#documents.get(query);
    if (document === undefined) return undefined;
    this.#documents.delete(query);
    this.#documents.set(query, document);
    return document;
  }

  add(query: string, document: DocumentNode): void {
    if (query.length > limits.graphqlCachedCharacters) return;
    this.#documents.set(query, document);
    if (this.#documents.size <= limits.graphqlCachedDocuments) return;
    const [oldest] = this.#documents.keys();
    if (oldest !== undefined) this.#documents.delete(oldest);
  }
}
