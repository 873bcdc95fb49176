//! How large a terminal is.

use serde::{Deserialize, Serialize};

/// Columns and rows of a terminal. Stored as these two numbers, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "(u16, u16)", into = "(u16, u16)")]
pub struct Size {
    /// Its width in cells.
    pub columns: u16,
    /// Its height in lines.
    pub rows: u16,
}

impl Size {
    /// Terminals have had this one since the VT100, and who says nothing else has it.
    pub const USUAL: Size = Size { columns: 80, rows: 24 };

    /// In the order in which people say it: "80×24".
    pub const fn new(columns: u16, rows: u16) -> Size {
        Size { columns, rows }
    }

    /// Itself; [`Size::USUAL`] where a terminal does not know its size, and says that one of both is 0.
    pub(crate) fn or_usual(self) -> Size {
        if self.columns == 0 || self.rows == 0 { Size::USUAL } else { self }
    }
}

impl From<(u16, u16)> for Size {
    fn from((columns, rows): (u16, u16)) -> Size {
        Size { columns, rows }
    }
}

impl From<Size> for (u16, u16) {
    fn from(size: Size) -> (u16, u16) {
        (size.columns, size.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_stored_as_columns_and_rows() {
        let size = Size { columns: 140, rows: 45 };
        assert_eq!(serde_json::to_string(&size).unwrap(), "[140,45]");
        assert_eq!(serde_json::from_str::<Size>("[140,45]").unwrap(), size);
    }

    #[test]
    fn who_does_not_know_it_has_the_usual_one() {
        for size in [Size::new(0, 0), Size::new(0, 30), Size::new(100, 0)] {
            assert_eq!(size.or_usual(), Size { columns: 80, rows: 24 });
        }
        assert_eq!(Size::new(1, 2).or_usual(), Size { columns: 1, rows: 2 });
    }
}
