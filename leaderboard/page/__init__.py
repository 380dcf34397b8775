"""The leaderboard page: one self-contained HTML file made of run folders and published rows."""
