/** Colours of the page for canvases, the light/dark switch, and the switch to paper while printing. */

export type Theme = ReturnType<typeof createTheme>;

export function createTheme() {
  const root = document.documentElement;
  const listeners: ((reason: "colours" | "layout") => void)[] = [];
  let styles = getComputedStyle(root);
  let beforePrint: string | null | undefined;

  const tell = (reason: "colours" | "layout"): void => {
    styles = getComputedStyle(root);
    for (const listener of listeners) listener(reason);
  };
  const isDark = (): boolean => {
    const chosen = root.getAttribute("data-theme");
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };
  const choose = (name: string | null | undefined): void => {
    if (name) root.setAttribute("data-theme", name);
    else root.removeAttribute("data-theme");
  };
  // A page opened from disk may be refused storage; the choice then lasts as long as the page.
  const remember = (name: string): void => {
    try {
      localStorage.setItem("volley-theme", name);
    } catch {}
  };
  try {
    choose(localStorage.getItem("volley-theme"));
  } catch {}

  const button = document.getElementById("theme");
  const label = (): void => {
    if (button) button.textContent = isDark() ? "Light" : "Dark";
    button?.setAttribute("aria-label", isDark() ? "Switch to light colours" : "Switch to dark colours");
  };
  button?.addEventListener("click", () => {
    const next = isDark() ? "light" : "dark";
    choose(next);
    remember(next);
    label();
    tell("colours");
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    label();
    tell("colours");
  });
  label();

  addEventListener("beforeprint", () => {
    if (beforePrint !== undefined) return;
    beforePrint = root.getAttribute("data-theme");
    choose("light");
    root.classList.add("printing");
    tell("layout");
  });
  addEventListener("afterprint", () => {
    if (beforePrint === undefined) return;
    root.classList.remove("printing");
    choose(beforePrint);
    beforePrint = undefined;
    tell("layout");
  });

  return {
    colour: (name: string): string => styles.getPropertyValue(`--${name}`).trim(),
    /** Red, green and blue, 0 to 255, of a colour written with six digits. */
    rgb: (name: string): number[] => {
      const hex = styles.getPropertyValue(`--${name}`).trim().replace("#", "");
      return [0, 2, 4].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));
    },
    font: (size: number): string => `${size}px ${styles.getPropertyValue("--sans")}`,
    printing: (): boolean => beforePrint !== undefined,
    onChange: (listener: (reason: "colours" | "layout") => void): void => {
      listeners.push(listener);
    },
  };
}
