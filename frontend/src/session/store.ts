/** The outbox's shelf: IndexedDB, which survives a closed tab. */

export interface Entry {
  /** Given by the database, in the order of writing. */
  id?: number;
  user: string;
  /** The assignment that it is about. */
  key: string;
  path: string;
  body: object;
  written_at: string;
  /** How often it was sent without an answer that settles it. */
  tries: number;
  /** The server's sentence, when it will never take this one. */
  refused?: string;
}

export interface Store {
  add(entry: Entry): Promise<number>;
  put(entry: Entry): Promise<void>;
  remove(id: number): Promise<void>;
  /** Those of one person, oldest first. */
  of(user: string): Promise<Entry[]>;
}

const DATABASE = "vibecheck";
const SHELF = "outbox";

export async function openStore(): Promise<Store> {
  const database = await opened();
  const run = <T>(mode: IDBTransactionMode, act: (shelf: IDBObjectStore) => IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      const transaction = database.transaction(SHELF, mode);
      const request = act(transaction.objectStore(SHELF));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
  return {
    add: async (entry) => (await run("readwrite", (shelf) => shelf.add(entry))) as number,
    put: async (entry) => void (await run("readwrite", (shelf) => shelf.put(entry))),
    remove: async (id) => void (await run("readwrite", (shelf) => shelf.delete(id))),
    of: (user) => run("readonly", (shelf) => shelf.index("user").getAll(user)),
  };
}

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      const shelf = request.result.createObjectStore(SHELF, { keyPath: "id", autoIncrement: true });
      shelf.createIndex("user", "user");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** For a browser that keeps nothing: the outbox then lives as long as its tab. */
export function memoryStore(): Store {
  const entries = new Map<number, Entry>();
  let last = 0;
  return {
    async add(entry) {
      last += 1;
      entries.set(last, { ...entry, id: last });
      return last;
    },
    async put(entry) {
      entries.set(entry.id as number, entry);
    },
    async remove(id) {
      entries.delete(id);
    },
    async of(user) {
      return [...entries.values()].filter((entry) => entry.user === user);
    },
  };
}
