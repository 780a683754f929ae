"""From an equation with its sizes in numbers to loops. Schedules look at coefficients and extents only."""
