import { emptyLake, page } from "../ui.js";
export async function render(main, ctx) { page(main, { title: "Overview" }, ctx.site ? null : emptyLake(ctx)); }
