import { getPage, type Page } from "../api/client";
import { attempt, type Attempt } from "./attempt.svelte";
import { loading, type Loading } from "./loading.svelte";

// A list that the server gives page by page: the first one, and those asked for after it.
export interface Paged<T> {
  readonly first: Loading<Page<T>>;
  readonly items: T[];
  readonly next: string | null;
  readonly asking: Attempt;
  more: () => void;
}

export function paged<T>(path: () => string): Paged<T> {
  let later = $state.raw<T[]>([]);
  let next = $state<string | null>(null);
  const asking = attempt();
  const first = loading<Page<T>>(async () => {
    const page = await getPage<T>(path());
    later = [];
    next = page.next;
    return page;
  });
  return {
    first,
    asking,
    get items() {
      return [...(first.value?.items ?? []), ...later];
    },
    get next() {
      return next;
    },
    more() {
      const from = next;
      if (from === null) return;
      void asking.run(async () => {
        const page = await getPage<T>(from);
        if (from !== next) return;
        later = [...later, ...page.items];
        next = page.next;
      });
    },
  };
}
