"""Charts of scored runs: their data, their Vega-Lite specifications, and files drawn of them."""
