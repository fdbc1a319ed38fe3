// Menus of the bar: the browser opens and closes them (popover); here they are put under their button, inside the window.
for (const menu of document.querySelectorAll(".menu[popover]")) {
  menu.addEventListener("toggle", (event) => {
    if (event.newState !== "open") return;
    const button = document.querySelector(`[popovertarget="${menu.id}"]`).getBoundingClientRect();
    menu.style.top = `${button.bottom + 4}px`;
    menu.style.left = `${Math.max(8, Math.min(button.left, innerWidth - menu.offsetWidth - 8))}px`;
    menu.querySelector("a, button")?.focus();
  });
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const pages = [...menu.querySelectorAll("a, button")];
    pages[(pages.indexOf(document.activeElement) + step + pages.length) % pages.length].focus();
  });
}
