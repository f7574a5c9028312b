// Lends the library to the test, which speaks to this page from outside.
import * as volley from "volley";

globalThis.volley = volley;
document.documentElement.dataset.ready = "";
