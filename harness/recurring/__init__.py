"""The same problem day after day: warm starts beside cold ones, and what staying near yesterday costs."""
