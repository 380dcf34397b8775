# Imports what surrounds it.
import solution
