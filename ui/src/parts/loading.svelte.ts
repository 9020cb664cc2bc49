import { untrack } from "svelte";

// Something asked for from the server, kept while it is asked for again. `load` is run when what it reads
// changes; an answer that comes after a newer question is dropped.
export interface Loading<T> {
  readonly value: T | undefined;
  readonly error: unknown;
  again: () => void;
}

export function loading<T>(load: () => Promise<T>): Loading<T> {
  let value = $state.raw<T | undefined>(undefined);
  let error = $state.raw<unknown>(null);
  let asked = $state(0);
  let newest = 0;
  $effect(() => {
    void asked;
    const mine = ++newest;
    load().then(
      (answer) => {
        if (mine !== newest) return;
        value = answer;
        error = null;
      },
      (reason: unknown) => {
        if (mine === newest) error = reason;
      },
    );
  });
  return {
    get value() {
      return value;
    },
    get error() {
      return error;
    },
    again() {
      error = null;
      asked = untrack(() => asked) + 1; // Whoever asks again does not depend on how often that was.
    },
  };
}
