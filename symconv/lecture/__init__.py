"""The lecture page of a layer or a formula: its equations as text, formulas, figures and numbers."""
