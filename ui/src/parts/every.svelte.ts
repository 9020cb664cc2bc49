// Runs `what` every so often while the page is in view and `active` holds.
export function every(milliseconds: number, active: () => boolean, what: () => void): void {
  $effect(() => {
    if (!active()) return;
    const timer = setInterval(() => {
      if (!document.hidden) what();
    }, milliseconds);
    return () => clearInterval(timer);
  });
}
