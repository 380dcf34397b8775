# Has the line ends of another system.
if True:
    print('''a
b''')
