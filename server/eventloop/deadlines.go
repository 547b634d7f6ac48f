package eventloop

// deadlines is a heap of connections by when they are to be interrupted, the
// earliest first. Each knows its place, so that it can be taken out.
type deadlines []*Conn

func (d *deadlines) add(c *Conn) {
	c.index = int32(len(*d))
	*d = append(*d, c)
	d.up(len(*d) - 1)
}

// remove takes c out, which is in it.
func (d *deadlines) remove(c *Conn) {
	i, last := int(c.index), len(*d)-1
	d.swap(i, last)
	(*d)[last] = nil
	*d = (*d)[:last]
	if i < last {
		d.up(i)
		d.down(i)
	}
	c.index = -1
	c.at.Store(0)
}

func (d deadlines) swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].index, d[j].index = int32(i), int32(j)
}

func (d deadlines) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if d[parent].at.Load() <= d[i].at.Load() {
			return
		}
		d.swap(i, parent)
		i = parent
	}
}

func (d deadlines) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(d); child++ {
			if d[child].at.Load() < d[least].at.Load() {
				least = child
			}
		}
		if least == i {
			return
		}
		d.swap(i, least)
		i = least
	}
}
