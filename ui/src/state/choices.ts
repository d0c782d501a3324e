// What Explore lets choose from, in the order in which the keys go through it.

export const vizzes = [
  { value: "stack", title: "Stack" },
  { value: "stack100", title: "100 %" },
  { value: "line", title: "Line" },
  { value: "grid", title: "Grid" },
  { value: "bar", title: "Bars" },
  { value: "heat", title: "Heat" },
  { value: "sankey", title: "Sankey" },
  { value: "table", title: "Table" },
];

export const comparisons = [
  { value: "", title: "nothing" },
  { value: "prev", title: "period before" },
  { value: "-1d", title: "day before" },
  { value: "-7d", title: "week before" },
  { value: "-28d", title: "4 weeks before" },
  { value: "band4w", title: "band of 4 weeks" },
];

export const dirs = [
  { value: "both", title: "Both" },
  { value: "in", title: "In" },
  { value: "out", title: "Out" },
  { value: "internal", title: "Internal" },
  { value: "sum", title: "Sum" },
];
