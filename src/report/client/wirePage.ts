/** Buttons that copy and save text; what is folded opens on paper. */
export function wirePage(): void {
  for (const button of document.querySelectorAll<HTMLElement>("[data-copy]")) {
    button.addEventListener("click", async () => {
      const text = document.getElementById(button.dataset.copy ?? "")?.textContent ?? "";
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Press Ctrl+C";
        const node = document.getElementById(button.dataset.copy ?? "");
        if (node) getSelection()?.selectAllChildren(node);
      }
    });
  }
  for (const button of document.querySelectorAll<HTMLElement>("[data-save]")) {
    button.addEventListener("click", () => {
      const text = document.getElementById(button.dataset.save ?? "")?.textContent ?? "";
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
      link.download = "experiment.json";
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  }
  const folded = [...document.querySelectorAll("details")];
  let open: boolean[] | undefined;
  addEventListener("beforeprint", () => {
    open ??= folded.map((d) => d.open);
    for (const d of folded) d.open = true;
  });
  addEventListener("afterprint", () => {
    folded.forEach((d, i) => {
      d.open = open?.[i] ?? d.open;
    });
    open = undefined;
  });
}
