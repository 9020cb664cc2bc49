// One thing that is tried at a time, with what a page shows of it: that it goes on, and why it failed.
export interface Attempt {
  readonly busy: boolean;
  readonly failure: unknown;
  // True when it worked. A form's event is kept from loading the page anew.
  run: (what: () => Promise<unknown>, event?: Event) => Promise<boolean>;
}

export function attempt(): Attempt {
  let busy = $state(false);
  let failure = $state.raw<unknown>(null);
  return {
    get busy() {
      return busy;
    },
    get failure() {
      return failure;
    },
    async run(what, event) {
      event?.preventDefault();
      busy = true;
      failure = null;
      try {
        await what();
        return true;
      } catch (error) {
        failure = error;
        return false;
      } finally {
        busy = false;
      }
    },
  };
}
